"""What is decided on results, and what reports tell beside them: pure functions of a run or of reports."""
