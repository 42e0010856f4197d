"""What a trial is judged by: scenarios on four real workers, a real database, and a steady load.

`python -m tests.trial.judged [--trials 5] [--on uvicorn] [scenario …]` says what each came to, the
median and the worst of seconds and of failed requests; the tests run the short ones once.
"""
