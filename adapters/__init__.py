"""The reference codes and their files: decks, systems, fields, engines, logs, stores."""
