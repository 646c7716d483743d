"""Convert model names from the settings into endpoints."""

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from patternmind.domain.calls import Endpoint, ModelChoice, Price


def build_model_choice(
    model: str,
    *,
    api_base: str | None = None,
    api_key: str | None = None,
    task_models: Mapping[str, str] | None = None,
    fallback: str | None = None,
    prices: Mapping[str, Price] | None = None,
) -> ModelChoice:
    """Return the endpoints of all tasks.

    ``api_base`` and ``api_key`` belong to the provider of ``model``: other models of that provider share them. Models
    of other providers use their provider's own address and usual key variable. A name with its own address,
    ``name@http://...``, gets the key only if that address is ``api_base``, so that no key is sent elsewhere.
    """
    provider, prices = _provider(_split_address(model)[0]), prices or {}

    def endpoint(model_spec: str) -> Endpoint:
        name, own_base = _split_address(model_spec)
        price = prices.get(model_spec) or prices.get(name)
        if own_base is not None:
            key = api_key if own_base == api_base or model_spec == model else None
            return Endpoint(model=name, api_base=own_base, api_key=key, price=price)
        if _provider(name) == provider:
            return Endpoint(model=name, api_base=api_base, api_key=api_key, price=price)
        return Endpoint(model=name, api_base=None, api_key=None, price=price)

    return ModelChoice(
        default=endpoint(model),
        by_task={task: endpoint(model_spec) for task, model_spec in (task_models or {}).items()},
        fallback=endpoint(fallback) if fallback else None,
    )


def describe_address(endpoint: Endpoint) -> str:
    """Describe the address of a model, without parts that may be secret."""
    if endpoint.api_base is None:
        return "at the provider's own address"
    parts = urlsplit(endpoint.api_base)
    host = parts.hostname or "" if parts.port is None else f"{parts.hostname}:{parts.port}"
    return f"at {urlunsplit((parts.scheme, host, parts.path, '', ''))}"


def describe_key_source(endpoint: Endpoint) -> str:
    """Describe the source of the key, never the key itself."""
    if endpoint.api_key:
        return "key from PATTERNMIND_API_KEY"
    return "no key" if endpoint.api_base else "key from the provider's usual variable"


def describe_price(price: Price) -> str:
    if price.input_usd == price.output_usd == 0:
        return "free of charge"
    return f"{price.input_usd:.4g} USD in and {price.output_usd:.4g} USD out per million tokens"


def _split_address(model_spec: str) -> tuple[str, str | None]:
    """Split ``name@http://...`` into name and address; any other "@" belongs to the name."""
    name, separator, address = model_spec.partition("@http")
    return (name, f"http{address}") if separator else (model_spec, None)


def _provider(name: str) -> str:
    """Return the part before the first slash; a bare name counts as a provider of its own."""
    return name.partition("/")[0]
