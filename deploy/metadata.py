"""What pip installs with the package is what the requirements files name: one list for both ways."""

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

GROUP = re.compile(r"# (\w+):")
"""A line of requirements.txt that names the extra which those after it make."""


class Requirements(MetadataHookInterface):
    PLUGIN_NAME = "custom"

    def update(self, metadata: dict) -> None:
        metadata["dependencies"] = self.packages("requirements-light.txt")
        groups = self.groups("requirements.txt")
        metadata["optional-dependencies"] = groups | {
            "ocr": self.packages("requirements-ocr.txt"),
            "serve": self.packages("deploy/requirements.txt"),
            "dev": [f"{metadata['name']}[{','.join(groups)},serve]", *self.packages("requirements-dev.txt")],
        }

    def groups(self, name: str) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for line in self.lines(name):
            if heading := GROUP.match(line):
                packages = groups.setdefault(heading[1], [])
            elif line[0] not in "-#":
                packages.append(line)
        return groups

    def packages(self, name: str) -> list[str]:
        return [line for line in self.lines(name) if line[0] not in "-#"]

    def lines(self, name: str) -> list[str]:
        return list(filter(None, map(str.strip, Path(self.root, name).read_text(encoding="utf-8").splitlines())))
