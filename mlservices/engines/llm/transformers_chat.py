"""A ChatML model on transformers; the state after a system prompt is kept from call to call."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Generator, Iterator
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, DynamicCache

from ...catalog import Model
from . import chatml
from .sampling import choose

_KEPT_PROMPTS = 4
_READ_AT_ONCE = 16  # tokens of a prompt: some 50 ms on one thread


class TransformersChat(chatml.ChatMl):
    longest_system_prompt = 0

    def __init__(self, folder: Path, model: Model) -> None:
        self._name = model.name
        torch.set_num_threads(1)
        self._model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._end = self._tokenizer.token_to_id(chatml.END)
        self._kept: OrderedDict[str, DynamicCache] = OrderedDict()

    def _ids(self, shared: str, rest: str, max_tokens: int, temperature: float) -> Iterator[int | None]:
        cache = yield from self._after(shared)
        *before, last = self._tokenizer.encode(rest).ids
        yield from self._read(before, cache)
        for _ in range(max_tokens):
            with torch.inference_mode():
                fed = torch.tensor([[last]])
                logits = self._model(fed, past_key_values=cache, use_cache=True).logits[0, -1]
                last = choose(logits, temperature)
            if last == self._end:
                return
            yield last

    def _after(self, shared: str) -> Generator[None, None, DynamicCache]:
        """A state that has read the system prompt, for one answer to go on from."""
        if not shared:
            return DynamicCache()
        if shared not in self._kept:
            cache = DynamicCache()
            yield from self._read(self._tokenizer.encode(shared).ids, cache)
            self._kept[shared] = cache
            while len(self._kept) > _KEPT_PROMPTS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(shared)
        return copy.deepcopy(self._kept[shared])

    def _read(self, ids: list[int], cache: DynamicCache) -> Iterator[None]:
        """In slices: it can be stopped after each."""
        for start in range(0, len(ids), _READ_AT_ONCE):
            with torch.inference_mode():
                fed = torch.tensor([ids[start : start + _READ_AT_ONCE]])
                self._model(fed, past_key_values=cache, use_cache=True, logits_to_keep=1)
            yield None
