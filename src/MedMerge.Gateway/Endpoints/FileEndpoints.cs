using System.Net.Mime;
using System.Text.RegularExpressions;
using MedMerge.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace MedMerge.Gateway.Endpoints;

/// <summary><c>/files/SHA256</c>: the files that specifications name.</summary>
internal static partial class FileEndpoints
{
    private const int MaxInitialBuffer = 1024 * 1024;
    private const string AnyMediaType = "*/*";

    public static void Map(RouteGroupBuilder api, GatewayLimits limits)
    {
        var files = api.MapGroup("/files/{sha256}")
            .WithTags("files")
            .RequireRateLimiting(GatewayLimits.Uploads)
            .AddEndpointFilter(CheckNameAsync);
        files.MapPut("", PutAsync)
            .WithSummary("Uploads a file under the SHA-256 of its content.")
            .Accepts<IFormFile>(MediaTypeNames.Application.Octet, AnyMediaType) // curl sends a form's unless told otherwise
            .WithMetadata(new RequestSizeLimitAttribute(limits.FileBytes))
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge);
        files.MapMethods("", [HttpMethods.Head], HeadAsync)
            .WithSummary("Checks whether a file exists.")
            .Produces(StatusCodes.Status200OK)
            .Produces(StatusCodes.Status404NotFound);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> PutAsync(
        string sha256,
        HttpRequest request,
        ArtefactStore artefacts,
        CancellationToken cancellation)
    {
        using var body = new MemoryStream((int)Math.Min(request.ContentLength ?? 0, MaxInitialBuffer));
        await request.Body.CopyToAsync(body, cancellation);
        var content = body.GetBuffer().AsMemory(0, (int)body.Length);
        var hash = ContentHash.Of(content.Span);
        if (hash != sha256)
        {
            return CreateBadRequest(
                $"The content's SHA-256 is {hash}, not {sha256}: it was damaged in transit, or is another file.");
        }
        await artefacts.WriteAsync(content, cancellation);
        return TypedResults.NoContent();
    }

    /// <summary>
    /// Reads the whole file, so that a client uploads a damaged one again. Who asks is about to submit a sweep that needs it.
    /// </summary>
    private static async Task<Results<Ok, NotFound>> HeadAsync(
        string sha256,
        ArtefactStore artefacts,
        CancellationToken cancellation) =>
        await artefacts.RenewAsync(sha256, cancellation) is null ? TypedResults.NotFound() : TypedResults.Ok();

    private static ValueTask<object?> CheckNameAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var name = (string)context.HttpContext.Request.RouteValues["sha256"]!;
        if (Sha256Pattern().IsMatch(name)) return next(context);
        return ValueTask.FromResult<object?>(
            CreateBadRequest("A file's name is the SHA-256 of its content in lower-case hexadecimal, 64 digits."));
    }

    private static ProblemHttpResult CreateBadRequest(string detail) =>
        TypedResults.Problem(detail, statusCode: StatusCodes.Status400BadRequest);

    [GeneratedRegex(@"\A[0-9a-f]{64}\z")]
    private static partial Regex Sha256Pattern();
}
