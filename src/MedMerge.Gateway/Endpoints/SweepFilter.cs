using MedMerge.Gateway.Queries;

namespace MedMerge.Gateway.Endpoints;

/// <summary>Answers with 404 where a path names a sweep that does not exist.</summary>
internal static class SweepFilter
{
    /// <summary>The part of a route that names a sweep.</summary>
    public const string Route = "/{id}";

    /// <summary>Maps a group of endpoints below a sweep, for which the sweep exists.</summary>
    public static RouteGroupBuilder MapSweep(this IEndpointRouteBuilder endpoints) => endpoints.MapGroup(Route)
        .AddEndpointFilter(CheckExistsAsync)
        .ProducesProblem(StatusCodes.Status404NotFound);

    private static async ValueTask<object?> CheckExistsAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var id = (string)http.Request.RouteValues["id"]!;
        var queries = http.RequestServices.GetRequiredService<SweepQueries>();
        if (await queries.ExistsAsync(id, http.RequestAborted)) return await next(context);
        return TypedResults.Problem($"There is no sweep '{id}'.", statusCode: StatusCodes.Status404NotFound);
    }
}
