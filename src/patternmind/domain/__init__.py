"""The nouns of patternmind, frozen: cases, themes, drafts, patterns and the network they belong to."""
