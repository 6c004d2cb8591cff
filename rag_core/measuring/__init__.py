"""Many questions: judgments, measures, and files of both."""
