PYTHON ?= python3
BIN := .venv/bin

# Nothing is compiled when it is installed, so whoever imports it first has to keep what it compiles
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-thorough test-services test-sip test-ray test-environments lint secrets audit bench bench-data messages lock python environment

help: ## say what there is to make
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | while IFS='|' read -r name what; do printf '  make %-15s %s\n' "$$name" "$$what"; done

run: python ## install, set up and start everything; Ctrl-C stops it (PORT=8001 make run: on another port)
	@$(PYTHON) -m voiceforge_site.bootstrap run
	@$(BIN)/python manage.py up

test: python ## install what the tests need and run them (ARGS='-k words': some of them)
	@$(PYTHON) -m voiceforge_site.bootstrap test
	@ENV_FILE= $(BIN)/python manage.py models prepare
	@$(BIN)/python -m tests.run $(ARGS)

test-services: python ## the same on a private PostgreSQL and Redis
	@$(PYTHON) -m voiceforge_site.bootstrap test
	@$(PYTHON) -m voiceforge_site.bootstrap services
	@$(BIN)/python -m tests.services $(BIN)/pytest -n 2 --dist loadfile -m "services or not (browser or models)" $(ARGS)

test-thorough: python ## what takes long and changes seldom: engines on real weights, other web servers, some pages (8 min)
	@$(PYTHON) -m voiceforge_site.bootstrap test
	@ENV_FILE= $(BIN)/python manage.py models prepare
	@$(BIN)/python -m tests.run --thorough $(ARGS)

test-sip: python ## SIP lines with a registrar and a telephone on loopback: what fails, TLS, hold, transfers, 400 bad messages (SIP_FUZZ=10000: so many; 2 min)
	@$(PYTHON) -m voiceforge_site.bootstrap test
	@$(BIN)/pytest tests/telephony/sip $(ARGS)

test-ray: python ## the ML service on a Ray cluster of two nodes on this machine (installs Ray: 80 MB; 1-3 min)
	@$(PYTHON) -m voiceforge_site.bootstrap ray
	@$(BIN)/pytest tests/mlservices/test_ray.py $(ARGS)

test-environments: python ## voices with libraries of their own, in two environments made for them (2-5 min)
	@$(PYTHON) -m voiceforge_site.bootstrap test
	@ENV_FILE= $(BIN)/python manage.py models install higgs_audio_v2 parler-tts-multilingual
	@$(BIN)/pytest tests/mlservices/engines/test_environments.py $(ARGS)

lint: environment ## ruff (with its rules of security), mypy, the rules of who imports whom, secrets in files
	@$(BIN)/python -m tests.secret_scan & secrets=$$!; \
	$(BIN)/ruff check . && $(BIN)/ruff format --check . \
	&& ENV_FILE= $(BIN)/mypy agents mlservices telephony voiceforge_site manage.py \
	&& $(BIN)/lint-imports; \
	code=$$?; wait $$secrets && exit $$code

secrets: environment ## take what `make lint` calls a secret, and is none, into .secrets.baseline
	@$(BIN)/python -m tests.secret_scan --update

audit: environment ## ask PyPI's advisory service about every pinned package (needs the network)
	@$(BIN)/python -m tests.advisories

bench: python ## measure: voice to voice, calls a process carries, memory, word errors, pages; JSON in var/bench/
	@$(PYTHON) -m voiceforge_site.bootstrap test
	@ENV_FILE= $(BIN)/python manage.py models prepare
	@mkdir -p var/bench
	$(BIN)/python -m tests.bench.voice --json var/bench/voice.json
	for server in daphne uvicorn granian; do taskset -c 1 $(BIN)/python -m tests.bench.capacity --server $$server --calls 30,60,90,120,180 --json var/bench/capacity-$$server.json || exit 1; done
	$(BIN)/python -m tests.bench.sip --json var/bench/sip.json
	taskset -c 1 $(BIN)/python -m tests.bench.twilio --json var/bench/twilio.json
	$(BIN)/python -m tests.bench.operate --json var/bench/operate.json
	$(BIN)/python -m tests.bench.memory --json var/bench/memory.json
	$(BIN)/python -m tests.bench.wer --json var/bench/wer.json
	$(BIN)/python -m tests.bench.board --json var/bench/board.json
	$(BIN)/python -m tests.bench.service --json var/bench/service.json
	$(BIN)/python -m tests.bench.flows --json var/bench/flows.json
	$(BIN)/python -m tests.bench.knowledge --json var/bench/knowledge.json
	@if [ -f var/bench/data/built.json ]; then $(BIN)/python -m tests.bench.pages --json var/bench/pages.json && $(BIN)/python -m tests.bench.api --json var/bench/api.json; fi

bench-data: python ## build large databases for `make bench` (CALLS=... on SQLite, POSTGRESQL_CALLS=...; 20 events a call)
	@$(PYTHON) -m voiceforge_site.bootstrap test
	@$(PYTHON) -m voiceforge_site.bootstrap services
	@ENV_FILE= $(BIN)/python -m tests.bench.data --sqlite $(or $(CALLS),100000) --postgresql $(or $(POSTGRESQL_CALLS),1000000)

messages: environment ## gather the texts of the pages into the catalogues and compile these (needs gettext)
	@command -v xgettext >/dev/null || { echo "gettext is missing. Run: apt-get install gettext" >&2; exit 1; }
	@mkdir -p voiceforge_site/locale
	@ENV_FILE= $(BIN)/python manage.py makemessages --locale de --no-wrap --add-location file --ignore .venv --ignore var --ignore tests --ignore node_modules
	@cd voiceforge_site && ENV_FILE= ../$(BIN)/python ../manage.py compilemessages

lock: environment ## write the lock files anew with the newest versions that pyproject.toml allows
	@ENV_FILE= $(BIN)/python manage.py lock

environment: python
	@$(PYTHON) -m voiceforge_site.bootstrap lint

python:
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing. Run: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) -V) is too old: VoiceForge needs Python 3.11 or newer. Run: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
