"""The commands; the one place that builds objects and joins them. Imports a half of wabiz only for the command that needs it."""
