"""Language model access: prompt files, gateway, batches, and scripted models for tests and demos."""
