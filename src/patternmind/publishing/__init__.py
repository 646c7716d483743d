"""Playbook and pre-reading: what may go out, as one tree of blocks, as Markdown, HTML, PDF and DOCX."""
