"""Why a chunk moved: probes, changed texts, maps and lessons."""
