"""The site's hook: pages stand in the site as in the repository, so that one link serves both."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
#: What the site holds, pages and what they link to.
PATTERNS = (
    "*.md",
    "LICENSE",
    "CITATION.cff",
    "docs/**/*.md",
    "docs/**/*.png",
    "examples/*.*",
    "benchmarks/README.md",
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The theme's own files, and the repository's pages in place of those found below `docs_dir`."""
    theme = [file for file in files if file.src_dir != config.docs_dir]
    paths = [path.relative_to(ROOT) for pattern in PATTERNS for path in sorted(ROOT.glob(pattern))]
    pages = [File(str(path), str(ROOT), config.site_dir, config.use_directory_urls) for path in paths]
    return Files([*theme, *pages])
