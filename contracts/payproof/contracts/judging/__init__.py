"""From journals to verdicts: the registry of requirements, how checks read a journal, and the judge."""
