.PHONY: install run test lint samples results screenshots models-table settings-table evaluate

install:
	pip install -r requirements-dev.txt

run:
	streamlit run app.py

test:
	pytest

lint:
	ruff check .
	ruff format --check .
	mypy

samples:
	python data/samples/make_samples.py

results:
	PYTHONPATH=. python data/samples/make_results.py

screenshots:
	PYTHONPATH=. python tests/support/screenshots.py

models-table:
	python -m tests.support.models_table

settings-table:
	python -m tests.support.settings_table

evaluate:
	python -m training.evaluate $(EVALUATION)
