"""The parts of the local decoder engine: prompt, stream, label likelihood, and the account of its bytes."""
