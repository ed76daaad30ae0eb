"""One observation and one comparer of exchanges, and the catalogue of cases in which two servers are compared."""
