"""PhoneService: answers about numbers, made by `bossjy_numbering`."""
