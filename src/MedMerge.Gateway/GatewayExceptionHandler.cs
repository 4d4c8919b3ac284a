using System.Text.Json;
using MedMerge.Gateway.Connections;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;

namespace MedMerge.Gateway;

/// <summary>
/// Reports failures as RFC 9457 problem details: the client's mistakes as 4xx, unavailable services as 503, everything
/// else as 500.
/// </summary>
internal sealed partial class GatewayExceptionHandler(
    IProblemDetailsService service,
    ILogger<GatewayExceptionHandler> logger) : IExceptionHandler
{
    private const int ClientClosedRequest = 499;
    private const string ClientHasGone = "The client closed the connection.";

    public async ValueTask<bool> TryHandleAsync(
        HttpContext httpContext,
        Exception exception,
        CancellationToken cancellationToken)
    {
        var (status, detail) = Classify(exception, httpContext);
        Log(exception, status, httpContext.Request);
        if (httpContext.RequestAborted.IsCancellationRequested) return true;

        httpContext.Response.StatusCode = status;
        await service.TryWriteAsync(new ProblemDetailsContext
        {
            HttpContext = httpContext,
            ProblemDetails = new ProblemDetails { Status = status, Detail = detail },
        });
        return true;
    }

    private static (int Status, string Detail) Classify(Exception exception, HttpContext context) => exception switch
    {
        ConnectionResetException or ConnectionAbortedException =>
            (ClientClosedRequest, ClientHasGone),
        OperationCanceledException or IOException when context.RequestAborted.IsCancellationRequested =>
            (ClientClosedRequest, ClientHasGone),
        BadHttpRequestException { InnerException: JsonException json } =>
            (StatusCodes.Status400BadRequest, $"The body is not the expected JSON: {json.Message}"),
        BadHttpRequestException bad =>
            (bad.StatusCode, bad.Message),
        _ => Failures.Describe(exception),
    };

    /// <summary>
    /// Logs what the client did not cause, with its stack, except an <see cref="UnavailableException"/> without a cause:
    /// a connection has logged that.
    /// </summary>
    private void Log(Exception exception, int status, HttpRequest request)
    {
        if (exception is UnavailableException)
        {
            LogNotConnected(exception.InnerException is null ? null : exception, request.Method, request.Path, exception.Message);
        }
        else if (status == StatusCodes.Status503ServiceUnavailable)
        {
            LogUnavailable(exception, request.Method, request.Path);
        }
        else if (status == StatusCodes.Status500InternalServerError)
        {
            LogFailed(exception, request.Method, request.Path);
        }
        else if (status == ClientClosedRequest)
        {
            LogClientHasGone(exception, request.Method, request.Path);
        }
    }

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed.")]
    private partial void LogFailed(Exception error, string method, string path);

    [LoggerMessage(LogLevel.Debug, "{Method} {Path} ended because the client closed the connection.")]
    private partial void LogClientHasGone(Exception error, string method, string path);

    [LoggerMessage(LogLevel.Warning, "{Method} {Path} failed because the cluster or the store does not answer.")]
    private partial void LogUnavailable(Exception error, string method, string path);

    [LoggerMessage(LogLevel.Warning, "{Method} {Path} was refused: {Reason}")]
    private partial void LogNotConnected(Exception? error, string method, string path, string reason);
}
