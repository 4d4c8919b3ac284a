namespace MedMerge;

/// <summary>
/// A computation on valid input came to no usable result: a loss that is no number, a merge whose certificate fails. The
/// user can do something about it, as the message says, but its cause may be elsewhere, so nodes log it with its stack.
/// </summary>
internal sealed class ComputationException(string message) : InputException(message);
