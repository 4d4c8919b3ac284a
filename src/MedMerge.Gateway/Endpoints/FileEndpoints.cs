using System.Net.Mime;
using System.Text.RegularExpressions;
using MedMerge.Gateway.Access;
using MedMerge.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace MedMerge.Gateway.Endpoints;

/// <summary><c>/files/SHA256</c>: the files that specifications name.</summary>
internal static partial class FileEndpoints
{
    /// <summary>Larger bodies are buffered in a temporary file.</summary>
    private const int MaxMemory = 1024 * 1024;

    private const string AnyMediaType = "*/*";

    public static void Map(RouteGroupBuilder api, GatewayLimits limits)
    {
        var files = api.MapGroup("/files/{sha256}")
            .WithTags("files")
            .AddEndpointFilter(CheckNameAsync);
        files.MapPut("", PutAsync)
            .RequireAuthorization(Roles.Submitter)
            .WithSummary("Uploads a file under the SHA-256 of its content.")
            .Accepts<IFormFile>(MediaTypeNames.Application.Octet, AnyMediaType) // curl sends a form's unless told otherwise
            .RequireRateLimiting(GatewayLimits.Uploads)
            .WithMetadata(new RequestSizeLimitAttribute(limits.FileBytes))
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge);
        files.MapMethods("", [HttpMethods.Head], HeadAsync)
            .WithSummary("Checks whether a file exists, and gets its length.")
            .Produces(StatusCodes.Status200OK)
            .Produces(StatusCodes.Status404NotFound);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> PutAsync(
        string sha256,
        HttpRequest request,
        ArtefactStore artefacts,
        CancellationToken cancellation)
    {
        request.EnableBuffering(MaxMemory);
        var hash = await ContentHash.OfAsync(request.Body, cancellation);
        if (hash != sha256)
        {
            return CreateBadRequest(
                $"The content's SHA-256 is {hash}, not {sha256}: it was damaged in transit, or is another file.");
        }
        await artefacts.WriteAsync(sha256, request.Body, cancellation);
        return TypedResults.NoContent();
    }

    /// <summary>
    /// Reads nothing of the file. A submission does, and removes one that is damaged, so that the client's next try uploads it again.
    /// </summary>
    private static async Task<Results<Ok, NotFound>> HeadAsync(
        string sha256,
        HttpResponse response,
        ArtefactStore artefacts,
        CancellationToken cancellation)
    {
        if (await artefacts.FindLengthAsync(sha256, cancellation) is not { } length) return TypedResults.NotFound();
        response.ContentLength = length;
        response.Headers.ETag = $"\"{sha256}\"";
        return TypedResults.Ok();
    }

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
