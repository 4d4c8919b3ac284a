using MedMerge.Gateway.Access;
using MedMerge.Gateway.Queries;
using MedMerge.Storage.Schedules;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace MedMerge.Gateway.Endpoints;

/// <summary><c>/schedules</c>: specifications that run again at fixed times.</summary>
internal static class ScheduleEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var schedules = api.MapGroup("/schedules").WithTags("schedules");
        schedules.MapPost("", AddAsync)
            .RequireAuthorization(Roles.Submitter)
            .WithSummary("Adds a schedule for a specification whose files are already uploaded.")
            .WithMetadata(new RequestSizeLimitAttribute(Submissions.MaxBody))
            .RequireRateLimiting(GatewayLimits.Plans)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge);
        schedules.MapGet("", (ScheduleQueries queries, CancellationToken cancellation) => queries.ListAsync(cancellation))
            .WithSummary("Lists all schedules.");

        var schedule = schedules.MapGroup("/{name}").ProducesProblem(StatusCodes.Status404NotFound);
        schedule.MapGet("", GetAsync)
            .WithSummary("Gets a schedule with its next five times and what became of the last ones.");
        schedule.MapPost("/pause", (string name, ScheduleChanges changes, CancellationToken cancellation) =>
                SetPausedAsync(name, isPaused: true, changes, cancellation))
            .RequireAuthorization(Roles.Submitter)
            .WithSummary("Pauses a schedule until it is resumed.");
        schedule.MapPost("/resume", (string name, ScheduleChanges changes, CancellationToken cancellation) =>
                SetPausedAsync(name, isPaused: false, changes, cancellation))
            .RequireAuthorization(Roles.Submitter)
            .WithSummary("Resumes a paused schedule; times of the pause are left out.");
        schedule.MapPost("/run-now", RunNowAsync)
            .RequireAuthorization(Roles.Submitter)
            .WithSummary("Runs a schedule now, beside its times; a node submits the sweep within seconds.")
            .ProducesProblem(StatusCodes.Status400BadRequest);
        schedule.MapDelete("", RemoveAsync)
            .RequireAuthorization(Roles.Operator)
            .WithSummary("Removes a schedule; the sweeps that it has submitted stay.");
    }

    private static async Task<Results<Created<ScheduleStatus>, ProblemHttpResult>> AddAsync(
        AddScheduleRequest request,
        ScheduleChanges changes,
        CancellationToken cancellation)
    {
        if (Submissions.IsTooLarge(request.ToSubmission())) return SweepEndpoints.CreateTooLarge();
        if (await changes.AddAsync(request, cancellation) is { } added)
            return TypedResults.Created($"/api/v1/schedules/{added.Name}", added);
        return TypedResults.Problem($"There is a schedule '{request.Name}' already.", statusCode: StatusCodes.Status409Conflict);
    }

    private static async Task<Results<Ok<ScheduleStatus>, ProblemHttpResult>> GetAsync(
        string name,
        ScheduleQueries queries,
        CancellationToken cancellation) =>
        await queries.FindAsync(name, cancellation) is { } status ? TypedResults.Ok(status) : CreateNotFound(name);

    private static async Task<Results<Ok<ScheduleStatus>, ProblemHttpResult>> SetPausedAsync(
        string name,
        bool isPaused,
        ScheduleChanges changes,
        CancellationToken cancellation) =>
        await changes.SetPausedAsync(name, isPaused, cancellation) is { } status ? TypedResults.Ok(status) : CreateNotFound(name);

    private static async Task<Results<Accepted<RunNowResponse>, ProblemHttpResult>> RunNowAsync(
        string name,
        ScheduleChanges changes,
        CancellationToken cancellation) =>
        await changes.RunNowAsync(name, cancellation) is { } sweep
            ? TypedResults.Accepted($"/api/v1/sweeps/{sweep}", new RunNowResponse(sweep))
            : CreateNotFound(name);

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(
        string name,
        ScheduleQueries queries,
        ScheduleStore schedules,
        CancellationToken cancellation)
    {
        if (await queries.FindAsync(name, cancellation) is null) return CreateNotFound(name);
        await schedules.RemoveAsync(name, cancellation);
        return TypedResults.NoContent();
    }

    private static ProblemHttpResult CreateNotFound(string name) =>
        TypedResults.Problem($"There is no schedule '{name}'.", statusCode: StatusCodes.Status404NotFound);
}
