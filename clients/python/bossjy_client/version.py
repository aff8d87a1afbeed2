"""Version of the client and the tool. The metadata of the package has it from here."""

VERSION = "0.1.0"
