"""The API's routes, a module for each noun; each reads its arguments, asks one verb, and answers with a typed shape."""
