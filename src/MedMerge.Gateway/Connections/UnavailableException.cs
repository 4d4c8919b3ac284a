namespace MedMerge.Gateway.Connections;

/// <summary>Something that the gateway needs can't be reached now; it is tried again.</summary>
internal sealed class UnavailableException(string message, Exception? inner = null) : Exception(message, inner);
