namespace MedMerge.Gateway.Access;

/// <summary>Logs who has changed what, and who was refused: one line for each request that would change something.</summary>
internal sealed partial class AuditLog(ILoggerFactory loggers)
{
    /// <summary>The log's category.</summary>
    public const string Category = "MedMerge.Audit";

    /// <summary>Keeps pages live; what they change is recorded by itself.</summary>
    private const string PagesConnection = "/_blazor";

    private readonly ILogger _logger = loggers.CreateLogger(Category);

    /// <summary>Logs a request once it is answered.</summary>
    public static async Task RecordAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        finally
        {
            var isRecorded = !Requests.IsReading(context.Request) && !context.Request.Path.StartsWithSegments(PagesConnection);
            if (isRecorded) context.RequestServices.GetRequiredService<AuditLog>().Record(context);
        }
    }

    /// <summary>Logs a change.</summary>
    /// <param name="user">Null where nobody is signed in.</param>
    /// <param name="target">The path of what is changed.</param>
    /// <param name="result">The response's status.</param>
    public void Record(string? user, string action, string target, int result) =>
        Log(user ?? "nobody", Clean(action), Clean(target), result);

    /// <summary>A line of the log stays one, whatever a user has typed.</summary>
    private static string Clean(string text) => new([.. text.Select(character => char.IsControl(character) ? ' ' : character)]);

    private void Record(HttpContext context)
    {
        var response = context.Response;
        var isNew = response.StatusCode is StatusCodes.Status201Created or StatusCodes.Status202Accepted;
        var target = isNew && response.Headers.Location is [{ } created] ? created : context.Request.Path.ToUriComponent();
        var action = $"{context.Request.Method} {context.Request.Path.ToUriComponent()}";
        Record(Users.NameOf(context.User), action, target, response.StatusCode);
    }

    [LoggerMessage(LogLevel.Information, "{User}: {Action} on {Target}: {Result}")]
    private partial void Log(string user, string action, string target, int result);
}
