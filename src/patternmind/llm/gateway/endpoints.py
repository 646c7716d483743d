"""Model names, as a person sets them, to the endpoints that are asked."""

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
    """The endpoints of all tasks.

    ``api_base`` and ``api_key`` belong to the provider of ``model``: other models of that provider share them, models
    of other providers have that provider's own address and its usual key variable. A name with an address of its own,
    ``name@http://...``, gets the key only where that is ``api_base``: a key travels to no other address.
    """
    provider, prices = _provider(_split_address(model)[0]), prices or {}

    def endpoint(named: str) -> Endpoint:
        name, own_base = _split_address(named)
        price = prices.get(named) or prices.get(name)
        if own_base is not None:
            key = api_key if own_base == api_base or named == model else None
            return Endpoint(model=name, api_base=own_base, api_key=key, price=price)
        ours = _provider(name) == provider
        return Endpoint(model=name, api_base=api_base if ours else None, api_key=api_key if ours else None, price=price)

    return ModelChoice(
        default=endpoint(model),
        by_task={task: endpoint(named) for task, named in (task_models or {}).items()},
        fallback=endpoint(fallback) if fallback else None,
    )


def describe_address(endpoint: Endpoint) -> str:
    """Where a model is asked, in words, without what may be secret in an address."""
    if endpoint.api_base is None:
        return "at the provider's own address"
    parts = urlsplit(endpoint.api_base)
    host = parts.hostname or "" if parts.port is None else f"{parts.hostname}:{parts.port}"
    return f"at {urlunsplit((parts.scheme, host, parts.path, '', ''))}"


def describe_key_source(endpoint: Endpoint) -> str:
    """Where the key comes from, in words, never itself."""
    if endpoint.api_key:
        return "key from PATTERNMIND_API_KEY"
    return "no key" if endpoint.api_base else "key from the provider's usual variable"


def describe_price(price: Price) -> str:
    if price.input_usd == price.output_usd == 0:
        return "free of charge"
    return f"{price.input_usd:.4g} USD in and {price.output_usd:.4g} USD out a million tokens"


def _split_address(model_spec: str) -> tuple[str, str | None]:
    """``name@http://...`` is a name and an address; other "@" belong to the name."""
    name, at, address = model_spec.partition("@http")
    return (name, f"http{address}") if at else (model_spec, None)


def _provider(name: str) -> str:
    """The part before the first slash; a bare name is the provider that litellm knows it by, and shares with none."""
    return name.partition("/")[0]
