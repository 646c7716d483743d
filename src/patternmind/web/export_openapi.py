"""Print the OpenAPI description: ``python -m patternmind.web.export_openapi > docs/openapi.json``."""

import json
import sys
from pathlib import Path

from patternmind.bootstrap import AppContext
from patternmind.settings import Settings
from patternmind.web.app import make_app


def main() -> None:
    app = make_app(AppContext(Settings(home=Path("nowhere"))))
    sys.stdout.write(json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
