"""A ChatML model on transformers; the state after a system prompt is kept from call to call."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, DynamicCache

from ...catalog import Model
from ...types import ChatMessage, Tool
from . import chatml
from .refusals import refuse_tools
from .sampling import choose

_KEPT_PROMPTS = 4


class TransformersChat:
    longest_system_prompt = 0

    def __init__(self, folder: Path, model: Model) -> None:
        self._name = model.name
        torch.set_num_threads(1)
        self._model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._end = self._tokenizer.token_to_id(chatml.END)
        self._kept: OrderedDict[str, DynamicCache] = OrderedDict()

    def warm(self) -> None:
        for _ in self.reply([ChatMessage("user", "Hello")], max_tokens=2, temperature=0.0):
            pass

    def count(self, text: str) -> int:
        return len(self._tokenizer.encode(text).ids)

    def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        tools: Sequence[Tool] = (),
    ) -> Iterator[str]:
        refuse_tools(self._name, messages, tools)
        shared, rest = chatml.prompt(messages)
        ids = self._tokens(shared, rest, max_tokens, temperature)
        yield from chatml.text_pieces(ids, self._tokenizer.decode)

    def _tokens(self, shared: str, rest: str, max_tokens: int, temperature: float) -> Iterator[int]:
        cache = self._after(shared)
        fed = self._tokenizer.encode(rest).ids
        for _ in range(max_tokens):
            with torch.inference_mode():
                logits = self._model(torch.tensor([fed]), past_key_values=cache, use_cache=True).logits[0, -1]
                token = choose(logits, temperature)
            if token == self._end:
                return
            yield token
            fed = [token]

    def _after(self, shared: str) -> DynamicCache:
        """A state that has read the system prompt, for one answer to go on from."""
        if not shared:
            return DynamicCache()
        if shared not in self._kept:
            cache = DynamicCache()
            with torch.inference_mode():
                ids = self._tokenizer.encode(shared).ids
                self._model(torch.tensor([ids]), past_key_values=cache, use_cache=True, logits_to_keep=1)
            self._kept[shared] = cache
            while len(self._kept) > _KEPT_PROMPTS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(shared)
        return copy.deepcopy(self._kept[shared])
