"""The Graph-shaped gateway: any Cloud API program and every desk sends through here, and so is archived and governed."""
