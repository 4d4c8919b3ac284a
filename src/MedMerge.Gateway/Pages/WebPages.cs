using Microsoft.FluentUI.AspNetCore.Components;

namespace MedMerge.Gateway.Pages;

/// <summary>The pages for people, beside the API: Blazor components that the server renders and keeps live.</summary>
internal static class WebPages
{
    /// <summary>Adds what the pages need.</summary>
    public static void Add(IServiceCollection services)
    {
        services.AddRazorComponents()
            .AddInteractiveServerComponents()
            .AddHubOptions(hub => hub.MaximumReceiveMessageSize = 2 * Submissions.MaxSpecification); // what is typed on the page for submissions
        services.AddCascadingAuthenticationState();
        services.AddFluentUIComponents();
        services.AddSingleton<Shared.SweepFeeds>();
    }

    /// <summary>Maps the pages, their files, and the connection over which they are kept live.</summary>
    public static void Map(WebApplication app)
    {
        app.MapStaticAssets().AllowAnonymous();
        app.MapGet($"/{Shared.Figures.StylePath}", () => Results.Text(Shared.Figures.Style, "text/css"))
            .AllowAnonymous()
            .ExcludeFromDescription();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
    }
}
