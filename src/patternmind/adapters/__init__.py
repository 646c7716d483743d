"""What touches the world: encoder, gateway, prompts, store, index; and the shipped doubles of their ports."""
