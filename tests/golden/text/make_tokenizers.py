"""Small tokenizers of every kind, trained on a text of our own, and the ids that PyPI's tokenizers give for mixed texts:
tokenizers/NAME.json, and ids.json beside it.

make_tokenizers.py; needs the packages of tests/peers/requirements.txt. With --ids the tokenizers stay, and only the ids
are made anew."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "tests" / "peers"))
from mixed_texts import mixed_texts  # noqa: E402

OUT = HERE / "tokenizers"
TEXT = (ROOT / "assets" / "lab-7m-text" / "evaluation.txt").read_text()[:60000].splitlines()
GPT4O = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
SIZE = 400
P = pre_tokenizers
N = normalizers
# Where versions of Unicode differ: characters that none has, private ones, and what is a mark, punctuation,
# a grapheme or a normal form only since Unicode 8 or 9; then runs that can be cut in several ways.
VERSIONS = ["a\u0558b", "8\u05ca\ufffdif", "W\ue056E", "a\U000f1234b\U0010fffe", "e\u08d4b", "e\u1734b\u1885c", "a\ua8c5\u11438z",
            "a\U0001e944b", "x\u2e52y\U00011f43z", "\u0915\u094d\u0937\u093f",
            "e\u0301\u0327\u1dfa", "\u0995\u09fe\u09bc", "\U0001f16c\U0001fbf0\u32ff", "\u0001a\u007f\u0085b", *(c * 37 for c in "ceo_")]


def byte_level(name: str, pre, normalizer=None, **options) -> tuple[str, Tokenizer]:
    tokenizer = Tokenizer(models.BPE(**options))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    suffix = {key: value for key, value in options.items() if key == "end_of_word_suffix"}
    tokenizer.train_from_iterator(TEXT, trainers.BpeTrainer(
        vocab_size=SIZE, special_tokens=["<|endoftext|>", "<|im_end|>"], show_progress=False,
        initial_alphabet=P.ByteLevel.alphabet(), **suffix))
    return name, tokenizer


def characters(name: str, model, trainer, pre, normalizer) -> tuple[str, Tokenizer]:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.train_from_iterator(TEXT, trainer)
    return name, tokenizer


def make() -> list[tuple[str, Tokenizer]]:
    bert = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made = [
        byte_level("gpt2", P.ByteLevel(False)),
        byte_level("gpt4o", P.Sequence([P.Split(Regex(GPT4O), "isolated"), P.ByteLevel(False, use_regex=False)]),
                   N.NFC()),
        byte_level("falcon", P.Sequence([P.Punctuation("contiguous"), P.ByteLevel(True), P.Digits(False),
                                         P.Split(Regex("[0-9][0-9][0-9]"), "isolated")])),
        byte_level("clip", P.Sequence([P.Split(Regex(r"'s|'t|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), "removed", invert=True),
                                       P.ByteLevel(False, use_regex=False)]),
                   N.Sequence([N.NFC(), N.Replace(Regex(r"\s+"), " "), N.Lowercase()]),
                   unk_token="<|endoftext|>", end_of_word_suffix="</w>"),
        byte_level("behaviors", P.Sequence([
            P.Split("a", "merged_with_next"), P.Split(Regex(r"\d"), "merged_with_previous"),
            P.Split(Regex("[eio]"), "contiguous"), P.Split(Regex(r"[\p{L}&&[^\p{Lu}]]+"), "isolated"),
            P.ByteLevel(False, use_regex=False)])),
        characters("words", models.BPE(unk_token="[UNK]", fuse_unk=True),
                   trainers.BpeTrainer(vocab_size=SIZE, special_tokens=["[UNK]"], show_progress=False),
                   P.Whitespace(), N.Sequence([N.NFKD(), N.Strip()])),
        characters("bert", models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=30),
                   trainers.WordPieceTrainer(vocab_size=SIZE, special_tokens=bert, show_progress=False),
                   P.BertPreTokenizer(), N.BertNormalizer(lowercase=True)),
        characters("unigram", models.Unigram(),
                   trainers.UnigramTrainer(vocab_size=SIZE, unk_token="<unk>", special_tokens=["<pad>", "</s>", "<unk>"],
                                           show_progress=False),
                   P.Metaspace(prepend_scheme="always"), N.NFKC()),
    ]
    made[0][1].add_tokens([AddedToken("  word", single_word=True), AddedToken("left", lstrip=True, normalized=False),
                           AddedToken("right", rstrip=True)])
    bert_tokenizer = dict(made)["bert"]
    bert_tokenizer.post_processor = processors.BertProcessing(
        ("[SEP]", bert_tokenizer.token_to_id("[SEP]")), ("[CLS]", bert_tokenizer.token_to_id("[CLS]")))
    unigram = dict(made)["unigram"]
    unigram.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", unigram.token_to_id("</s>"))])
    return made


def kept() -> list[tuple[str, Tokenizer]]:
    names = [name for name in json.loads((OUT / "ids.json").read_text()) if name != "texts"]
    return [(name, Tokenizer.from_file(str(OUT / f"{name}.json"))) for name in names]


def main() -> None:
    OUT.mkdir(exist_ok=True)
    texts = ["", " ", "a", *mixed_texts(60, 3), *VERSIONS]
    ids = {}
    made = kept() if "--ids" in sys.argv else make()
    for name, tokenizer in made:
        if "--ids" not in sys.argv:
            tokenizer.save(str(OUT / f"{name}.json"), pretty=False)
        ids[name] = [tokenizer.encode(text).ids for text in texts]
    lines = [f'"{name}": {json.dumps(rows, separators=(",", ":"))}' for name, rows in ids.items()]
    (OUT / "ids.json").write_text("{" + f'"texts": {json.dumps(texts)},\n' + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()
