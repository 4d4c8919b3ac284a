using System.Text.Json;
using Azure;
using MedMerge.Gateway.Connections;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;

namespace MedMerge.Gateway;

/// <summary>Tells a client what went wrong, as RFC 9457 problem details: its own mistake (4xx), or what is out of reach (503).</summary>
internal sealed partial class GatewayExceptionHandler(IProblemDetailsService service, ILogger<GatewayExceptionHandler> logger) : IExceptionHandler
{
    private const int ClientClosedRequest = 499;

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var (status, detail) = Of(exception, httpContext);
        Log(exception, status, httpContext.Request);
        if (httpContext.RequestAborted.IsCancellationRequested) return true;
        httpContext.Response.StatusCode = status;
        await service.TryWriteAsync(new ProblemDetailsContext { HttpContext = httpContext, ProblemDetails = new ProblemDetails { Status = status, Detail = detail } });
        return true;
    }

    /// <summary>What is out of reach is logged with its stack where it is met; <see cref="UnavailableException"/> only repeats what a connection has logged.</summary>
    private void Log(Exception exception, int status, HttpRequest request)
    {
        if (exception is UnavailableException) LogNotConnected(request.Method, request.Path, exception.Message);
        else if (status == StatusCodes.Status503ServiceUnavailable) LogUnavailable(exception, request.Method, request.Path);
        else if (status == StatusCodes.Status500InternalServerError) LogFailed(exception, request.Method, request.Path);
    }

    private static (int Status, string Detail) Of(Exception exception, HttpContext context) => exception switch
    {
        InputException => (StatusCodes.Status400BadRequest, exception.Message),
        BadHttpRequestException { InnerException: JsonException json } => (StatusCodes.Status400BadRequest, $"The body is not the JSON that is expected: {json.Message}"),
        BadHttpRequestException bad => (bad.StatusCode, bad.Message),
        OperationCanceledException or IOException when context.RequestAborted.IsCancellationRequested => (ClientClosedRequest, "The client has gone."),
        UnavailableException => (StatusCodes.Status503ServiceUnavailable, exception.Message),
        TimeoutException or Orleans.Runtime.OrleansException => (StatusCodes.Status503ServiceUnavailable, $"The cluster does not answer: {exception.Message.Split('\n')[0].Trim()}"),
        RequestFailedException or AggregateException { InnerException: RequestFailedException } => (StatusCodes.Status503ServiceUnavailable, "The blob store does not answer; the gateway's log says more."),
        InvalidDataException => (StatusCodes.Status500InternalServerError, exception.Message),
        _ => (StatusCodes.Status500InternalServerError, "Something unexpected happened; the gateway's log says what."),
    };

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed.")]
    private partial void LogFailed(Exception error, string method, string path);

    [LoggerMessage(LogLevel.Warning, "{Method} {Path} failed because the cluster or the store does not answer.")]
    private partial void LogUnavailable(Exception error, string method, string path);

    [LoggerMessage(LogLevel.Warning, "{Method} {Path} was refused: {Reason}")]
    private partial void LogNotConnected(string method, string path, string reason);
}
