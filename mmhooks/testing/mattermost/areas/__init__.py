"""The areas of the plugin API: in each module the functions that answer its methods, and what the server does besides."""
