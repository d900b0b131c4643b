"""Files that are there whole or not at all: `atomic.whole_file`, named where files are written."""

from ...atomic.whole_file import remove_left, whole_file, write_whole

__all__ = ["remove_left", "whole_file", "write_whole"]
