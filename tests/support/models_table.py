"""Write the READMEs' tables of models from the catalogue: ``python -m tests.support.models_table``."""

from __future__ import annotations

from pathlib import Path

from rag_core.models import catalog

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- models -->", "<!-- /models -->"
WORDS = {
    "README.md": {
        "head": ("Model", "Languages", "Download", "Licence", "Run here"),
        "embedders": "Embedding models",
        "rerankers": "Cross-encoders",
        "onnx": "bundled",
        "openai": "none; needs a key",
        "server": "none; on a server",
        "API": "paid API",
        "yes": "yes",
        "no": "no",
    },
    "README.zh.md": {
        "head": ("模型", "语言", "下载", "许可", "实际运行过"),
        "embedders": "嵌入模型",
        "rerankers": "交叉编码器",
        "onnx": "内置",
        "openai": "无；需要密钥",
        "server": "无；在服务器上",
        "API": "付费接口",
        "yes": "是",
        "no": "否",
    },
}


def table(readme: str) -> str:
    """Return the text that stands between the markers of a README."""
    words = WORDS[readme]
    parts = [
        f"**{words[title]}**\n\n{rows(lines, words)}\n"
        for title, lines in (("embedders", catalog.EMBEDDERS), ("rerankers", catalog.RERANKERS))
    ]
    return "\n\n" + "\n".join(parts) + "\n"


def rows(lines: tuple[catalog.Line, ...], words: dict) -> str:
    return "\n".join([row(words["head"]), row(["---"] * 5), *(model_row(line, words) for line in lines)])


def row(cells) -> str:
    return f"| {' | '.join(cells)} |"


def model_row(line: catalog.Line, words: dict) -> str:
    yours = line.kind == "server" and not line.address
    licence = "–" if yours else line.licence.replace("API", words["API"])
    download = words.get(line.kind, f"{line.size} MB")
    ran = words["yes"] if line.kind == "onnx" or yours else words["no"]
    return row([f"`{line.id}`", " ".join(line.languages), download, licence, ran])


def between(text: str) -> str:
    return text.split(BEGIN)[1].split(END)[0]


def main() -> None:
    for readme in WORDS:
        text = (ROOT / readme).read_text(encoding="utf-8")
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        (ROOT / readme).write_text(before + BEGIN + table(readme) + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
