namespace MedMerge.Gateway.Queries;

/// <summary>There is nothing to show yet; the message says when to try again. The API answers with 409.</summary>
internal sealed class NotReadyException(string message, Exception? inner = null) : Exception(message, inner);
