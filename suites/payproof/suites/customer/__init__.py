"""The customer: a browser's manners, the hosted checkout by forms, by Chromium, by a person."""
