"""Yanshu (雁书): a self-hosted SMS service platform."""

__version__ = "0.1.0"
