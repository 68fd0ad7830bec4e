"""The vocabulary: frozen values, the codec, the error tree, safe text and the desk's calls. Imports nothing of ours."""
