"""The page: one small file a part, each with `build` (lay out) and `wire` (connect). Only this package
imports gradio."""
