"""The two commands that need the sandbox: `siteshift sandbox` and `siteshift demo`.

The command line of the product names them, and imports them only if this package is installed.
"""
