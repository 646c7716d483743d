"""Find personal data in texts and replace it with placeholders."""
