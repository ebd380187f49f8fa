"""The conformance kit for storage drivers: what the failover protocol takes for granted of any of them.

    pytest -p sandbox.conformance.plugin --pyargs sandbox.conformance --siteshift-storage my_package.my_module:storage

`storage()` returns a `Storage`: your driver, and how your storage's operator reports what a copy is. Without the option
the kit runs on the drivers of Siteshift. The cases are group G of what must be survived (docs/failover-protocol.md).
"""
