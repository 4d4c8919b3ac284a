using Azure;
using MedMerge.Gateway.Connections;
using MedMerge.Gateway.Queries;
using MedMerge.Storage;

namespace MedMerge.Gateway;

/// <summary>What users are told of a failure: the API's in its answers, the pages' in a message.</summary>
internal static class Failures
{
    /// <summary>The HTTP status of a failure, and a sentence that says nothing that only the log should.</summary>
    public static (int Status, string Text) Describe(Exception error) => error switch
    {
        InputException =>
            (StatusCodes.Status400BadRequest, error.Message),
        NotReadyException =>
            (StatusCodes.Status409Conflict, error.Message),
        KeyNotFoundException =>
            (StatusCodes.Status404NotFound, error.Message),
        UnavailableException =>
            (StatusCodes.Status503ServiceUnavailable, error.Message),
        TimeoutException or Orleans.Runtime.OrleansException =>
            (StatusCodes.Status503ServiceUnavailable, $"The cluster does not answer: {ErrorText.FirstLine(error)}"),
        RequestFailedException or AggregateException { InnerException: RequestFailedException } =>
            (StatusCodes.Status503ServiceUnavailable, "The blob store does not answer; see the gateway's log for details."),
        InvalidDataException =>
            (StatusCodes.Status500InternalServerError, error.Message),
        _ =>
            (StatusCodes.Status500InternalServerError, "An unexpected error occurred; see the gateway's log for details."),
    };
}
