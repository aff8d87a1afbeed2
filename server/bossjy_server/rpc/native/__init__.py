"""Native front end, EXPERIMENTAL: h2corn's HTTP/2 (Rust, ASGI) under the same chain, with JSON on the same port.

`BOSSJY_FRONT=native` selects it. The service imports `server` of this package only then.
"""
