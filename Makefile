.PHONY: install run test lint samples screenshots models-table settings-table evaluate

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

screenshots:
	PYTHONPATH=. python tests/support/screenshots.py

models-table:
	python -m tests.support.models_table

settings-table:
	python -m tests.support.settings_table

evaluate:
	python -m training.evaluate $(EVALUATION)
