"""What parameters of faults may be: values within bounds."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

HttpStatus: TypeAlias = Annotated[int, Field(ge=200, le=599)]
Seconds: TypeAlias = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Text: TypeAlias = Annotated[str, Field(max_length=10_000)]
HeaderValue: TypeAlias = Annotated[str, Field(max_length=1_000, pattern=r"^[\x20-\x7e]*$")]
