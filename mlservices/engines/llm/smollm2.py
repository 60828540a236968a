"""SmolLM2 on CTranslate2: int8, one thread, the state after the system prompt kept from call to call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ctranslate2
from tokenizers import Tokenizer

from ...catalog import Model
from ...errors import EngineError
from . import chatml

_KEPT_TOKENS = 1000  # of system prompts whose state is kept: 0.13 MB each
# Tokens of a prompt. The model takes 8,192, but reads some 300 a second: no caller waits for more than these.
LONGEST_PROMPT = 2048
_SHORTEST_REST = 256  # of it, for what was said last
_TOP_K = 40


class SmolLM2(chatml.ChatMl):
    side_by_side = 2
    longest_system_prompt = LONGEST_PROMPT - _SHORTEST_REST

    def __init__(self, folder: Path, model: Model) -> None:
        self._name = model.name
        self._generator = ctranslate2.Generator(
            str(folder), compute_type="int8", inter_threads=self.side_by_side, intra_threads=1
        )
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._end = self._tokenizer.token_to_id(chatml.END)
        self._kept: dict[str, int] = {}  # system prompt -> its tokens

    def _ids(self, shared: str, rest: str, max_tokens: int, temperature: float) -> Iterator[int]:
        static = self._tokenizer.encode(shared).tokens
        room = LONGEST_PROMPT - len(static)
        if room < _SHORTEST_REST:
            raise EngineError(
                f"the instructions are {len(static)} tokens long, and the small model reads at most "
                f"{self.longest_system_prompt}: shorten them, or choose another language model",
                service="llm",
                permanent=True,
            )
        tokens = self._tokenizer.encode(rest).tokens[-room:]
        steps = self._generator.generate_tokens(
            tokens,
            static_prompt=static or None,
            cache_static_prompt=self._keep(shared, len(static)),
            max_length=max_tokens,
            sampling_topk=_TOP_K if temperature > 0 else 1,
            sampling_temperature=max(temperature, 0.01),
            end_token=[chatml.END],
        )
        try:
            yield from (step.token_id for step in steps if step.token_id != self._end)
        finally:
            steps.close()

    def _keep(self, prompt: str, tokens: int) -> bool:
        """Whether to keep the state after this system prompt.

        CTranslate2 never forgets a state by itself; unloading the model (0.4 s) makes it forget all. It
        cannot be unloaded while it reads a prompt that nobody wants any more.
        """
        if prompt in self._kept:
            return True
        if not 0 < tokens <= _KEPT_TOKENS:
            return False
        if sum(self._kept.values()) + tokens > _KEPT_TOKENS:
            if self._generator.num_active_batches:
                return False
            self._kept.clear()
            self._generator.unload_model()
            self._generator.load_model()
        self._kept[prompt] = tokens
        return True
