"""Llama, and any chat model whose tokenizer brings its chat template, on transformers.

What was read for one answer is kept for the next: a conversation grows at its end, and many begin alike.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from ...catalog import Model
from ...errors import EngineError
from ...types import ChatMessage, Tool, ToolCall
from .. import torch_device
from ..eight_bits import in_eight_bits
from .chatml import text_pieces
from .sampling import choose
from .tool_calls import told_apart

LONGEST_PROMPT = 8192  # tokens; the model takes 131,072, but no caller waits for those
_SHORTEST_REST = 1024  # of it, for what was said last
_KEPT_TOKENS = 8192  # read for answers before, and kept: 0.13 MB each, on processors 0.26 MB
_READ_AT_ONCE = 256  # of a prompt: 50 ms on a GPU, after which it can be stopped

Message = dict[str, Any]


class Llama:
    longest_system_prompt = LONGEST_PROMPT - _SHORTEST_REST

    def __init__(self, folder: Path, model: Model) -> None:
        self._name = model.name
        self._device, dtype = torch_device.choose()
        how = in_eight_bits(model, self._device) or {"dtype": dtype}
        self._model = AutoModelForCausalLM.from_pretrained(folder, **how).eval()
        if "device_map" not in how:
            self._model.to(self._device)
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        ends = self._model.generation_config.eos_token_id
        self._ends = {ends} if isinstance(ends, int) else set(ends or ())
        self._marks = sorted(self._tokenizer.all_special_tokens, key=len, reverse=True)
        self._kept: list[tuple[list[int], DynamicCache]] = []  # the one used last is last

    def warm(self) -> None:
        for _ in self.reply([ChatMessage("user", "Hello")], max_tokens=2, temperature=0.0):
            pass

    def count(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        tools: Sequence[Tool] = (),
    ) -> Iterator[str | ToolCall | None]:
        prompt = self._prompt(messages, tools)
        pieces = text_pieces(self._tokens(prompt, max_tokens, temperature), self._decode)
        yield from told_apart(pieces, tools, self._name)

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))

    def _tokens(self, prompt: list[int], max_tokens: int, temperature: float) -> Iterator[int | None]:
        read, cache = self._take(prompt)
        fed = prompt[len(read) :]
        try:
            while len(fed) > _READ_AT_ONCE:
                self._read(fed[:_READ_AT_ONCE], cache)
                read += fed[:_READ_AT_ONCE]
                fed = fed[_READ_AT_ONCE:]
                yield None
            for _ in range(max_tokens):
                token = choose(self._read(fed, cache), temperature)
                read += fed
                if token in self._ends:
                    return
                yield token
                fed = [token]
        finally:
            cache.crop(len(read) - cache.get_seq_length())  # after a reading that broke off in the middle
            self._keep(read, cache)

    @torch.inference_mode()
    def _read(self, ids: list[int], cache: DynamicCache) -> torch.Tensor:
        """The scores of what comes after `ids`; `cache` has read them then."""
        fed = torch.tensor([ids], device=self._device)
        return self._model(fed, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[0, -1]

    # --- What was read before ---

    def _take(self, prompt: list[int]) -> tuple[list[int], DynamicCache]:
        """(the longest beginning of the prompt that was read before, the state after it)."""
        longest, found = 0, -1
        for index, (ids, _) in enumerate(self._kept):
            length = _common(ids, prompt[:-1])  # the last token is read in any case, for its scores
            if length > longest:
                longest, found = length, index
        if found < 0:
            return [], DynamicCache(config=self._model.config)
        ids, cache = self._kept[found]
        if longest == len(ids):  # goes on from there
            del self._kept[found]
        else:  # another conversation that begins alike
            cache = copy.deepcopy(cache)
            cache.crop(longest - len(ids))
        return list(ids[:longest]), cache

    def _keep(self, ids: list[int], cache: DynamicCache) -> None:
        if not ids:
            return
        self._kept.append((ids, cache))
        while sum(len(kept) for kept, _ in self._kept) > _KEPT_TOKENS:
            self._kept.pop(0)

    # --- The prompt ---

    def _prompt(self, messages: Sequence[ChatMessage], tools: Sequence[Tool]) -> list[int]:
        """Its tokens; a conversation that is too long loses what was said first."""
        offered: list[Any] | None = [_offered(tool) for tool in tools] or None
        said = list(messages)
        system = [said.pop(0)] if said and said[0].role == "system" else []
        while True:
            shown = [self._shown(message) for message in _one_call_each([*system, *said])]
            ids = self._tokenizer.apply_chat_template(
                shown, tools=offered, add_generation_prompt=True, return_dict=False
            )
            if len(ids) <= LONGEST_PROMPT:
                return list(ids)
            if len(said) < 2:
                raise EngineError(
                    f"instructions, tools and the last message are {len(ids)} tokens long together, and "
                    f"{self._name} is given {LONGEST_PROMPT} at most: shorten them",
                    service="llm",
                    permanent=True,
                )
            said.pop(0)
            while len(said) > 1 and said[0].role == "tool":  # of a call that is gone
                said.pop(0)

    def _shown(self, message: ChatMessage) -> Message:
        shown: Message = {"role": message.role, "content": self._harmless(message.content)}
        if message.tool_calls:
            shown["tool_calls"] = [
                {"type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in message.tool_calls
            ]
        return shown

    def _harmless(self, text: str) -> str:
        """What a caller says cannot end their message or begin another."""
        text = text.replace("<|", "< |")  # taking marks out can make one of two halves
        for mark in self._marks:
            text = text.replace(mark, f"{mark[0]} {mark[1:]}")
        return text


def _common(one: list[int], other: list[int]) -> int:
    """How many tokens two lists begin alike with."""
    length = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        length += 1
    return length


def _offered(tool: Tool) -> Message:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _one_call_each(messages: Sequence[ChatMessage]) -> Iterator[ChatMessage]:
    """Llama's template takes one call a message, its result behind it."""
    results: dict[str, ChatMessage] = {}
    for message in messages:
        if message.role == "tool":
            if message.tool_call_id not in results:
                yield message
            continue
        if len(message.tool_calls) < 2:
            yield message
            continue
        results = {other.tool_call_id: other for other in messages if other.role == "tool"}
        for call in message.tool_calls:
            yield ChatMessage("assistant", "", (call,))
            if call.id in results:
                yield results[call.id]
