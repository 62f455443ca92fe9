"""What tests of several folders share: a settable clock, workspaces made by the use cases, real server processes."""
