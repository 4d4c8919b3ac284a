namespace MedMerge.Storage;

/// <summary>
/// The store can't be reached or refuses: it may answer later, unlike a connection that can't be understood. To a user of
/// the command both are errors of the input.
/// </summary>
internal sealed class StoreUnavailableException(string message, Exception inner) : InputException(message, inner);
