"""The way to the hub: requests as one device, its refusals as errors of ours."""
