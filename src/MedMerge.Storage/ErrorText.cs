namespace MedMerge.Storage;

/// <summary>Messages of exceptions for people.</summary>
internal static class ErrorText
{
    /// <summary>
    /// The first line of the message: Azure's clients add a page of headers, and report several failed attempts as one aggregate.
    /// </summary>
    public static string FirstLine(Exception error)
    {
        var message = (error is AggregateException all ? all.InnerExceptions[0] : error).Message;
        return message.Split('\n')[0].Trim();
    }
}
